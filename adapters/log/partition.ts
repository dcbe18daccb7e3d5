/** The partition of a key as in every Kafka client: murmur2 of its bytes, positive, modulo the number of partitions. */
export const partitionOf = (key: string | Uint8Array, partitions: number): number =>
  (murmur2(typeof key === 'string' ? Buffer.from(key) : key) & 0x7fffffff) % partitions

const M = 0x5bd1e995
const SEED = 0x9747b28c

function murmur2(data: Uint8Array): number {
  const { length } = data
  const view = new DataView(data.buffer, data.byteOffset, length)
  let hash = SEED ^ length
  let at = 0
  for (; at + 4 <= length; at += 4) {
    let k = Math.imul(view.getInt32(at, true), M)
    k ^= k >>> 24
    hash = Math.imul(hash, M) ^ Math.imul(k, M)
  }
  const rest = length - at
  if (rest >= 3) hash ^= (data[at + 2] as number) << 16
  if (rest >= 2) hash ^= (data[at + 1] as number) << 8
  if (rest >= 1) hash = Math.imul(hash ^ (data[at] as number), M)
  hash = Math.imul(hash ^ (hash >>> 13), M)
  return hash ^ (hash >>> 15)
}
