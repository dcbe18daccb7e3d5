import { Problem } from './problem.ts'

/** The number of receipts that a read waits for at most. More would not fit into a URL. */
const MAX_RECEIPTS = 10

/** The commands that this client has sent and whose effects it may not see yet. */
export interface OwnWrites {
  /** Adds a command whose outcome is not known yet. */
  sent(receipt: string | null | undefined): void
  /** Reads with the receipts of these commands. A read that succeeds has their effects, so later reads need not wait for them. */
  readAfter<Answer>(read: (receipts: string[]) => Promise<Answer>): Promise<Answer>
}

export function ownWrites(): OwnWrites {
  const receipts = new Set<string>()
  return {
    sent(receipt) {
      if (!receipt) return
      receipts.add(receipt.replace(/^.*\//, ''))
      const [first = ''] = receipts
      if (receipts.size > MAX_RECEIPTS) receipts.delete(first)
    },
    async readAfter(read) {
      const awaited = [...receipts]
      const forget = () => {
        for (const receipt of awaited) receipts.delete(receipt)
      }
      try {
        const answer = await read(awaited)
        forget()
        return answer
      } catch (error) {
        if (error instanceof Problem && error.status > 0 && error.status !== 503) forget()
        throw error
      }
    },
  }
}
