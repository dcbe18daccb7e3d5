import type { Arrival } from './applier.ts'

/**
 * Sorts a batch by acceptance: by offset within a partition, and by time of publishing among partitions. A copy from the
 * error topic has an offset of that topic, so it counts as another partition.
 */
export function inLogOrder(arrivals: Arrival[]): Arrival[] {
  const placed: { arrival: Arrival; time: string }[] = []
  for (const own of Map.groupBy(arrivals, partitionOf).values()) {
    // The clocks of two instances may differ, so a command is never earlier than one before it in its partition.
    let time = ''
    for (const arrival of own.sort((a, b) => offsetOf(a) - offsetOf(b))) {
      if (arrival.received.command.time > time) time = arrival.received.command.time
      placed.push({ arrival, time })
    }
  }
  return placed.sort((a, b) => Number(a.time > b.time) - Number(a.time < b.time)).map(({ arrival }) => arrival)
}

const partitionOf = ({ received: { delivery } }: Arrival): string =>
  `${delivery.knativeerrordest ?? ''} ${delivery.knativekafkapartition}`

const offsetOf = ({ received: { delivery } }: Arrival): number => Number(delivery.knativekafkaoffset)

/** The commands of a sorted batch whose id an earlier one has with another body. */
export function contendersIn(batch: Arrival[]): Set<Arrival> {
  const hashes = new Map<string, string>()
  const contenders = new Set<Arrival>()
  for (const arrival of batch) {
    const { command, hash } = arrival.received
    const first = hashes.get(command.id) ?? hash
    hashes.set(command.id, first)
    if (first !== hash) contenders.add(arrival)
  }
  return contenders
}
