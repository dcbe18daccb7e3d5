import { Problem } from './problem.ts'

/** So many of its commands a read waits for, the last ones: more would not fit into an address. */
const MOST = 10

/** What this client sent and can't be sure to read yet. */
export interface Unread {
  /** A command that the log has, and whose outcome is not known to be there. */
  sent(receipt: string | null | undefined): void
  /** Reads behind them; what was read with them is not waited for again. */
  readWith<Answer>(read: (receipts: string[]) => Promise<Answer>): Promise<Answer>
}

export function unreadCommands(): Unread {
  const receipts = new Set<string>()
  return {
    sent(receipt) {
      if (!receipt) return
      receipts.add(receipt.replace(/^.*\//, ''))
      const [first = ''] = receipts
      if (receipts.size > MOST) receipts.delete(first)
    },
    async readWith(read) {
      const waited = [...receipts]
      const forget = () => {
        for (const receipt of waited) receipts.delete(receipt)
      }
      try {
        const answer = await read(waited)
        forget()
        return answer
      } catch (error) {
        if (error instanceof Problem && error.status > 0 && error.status !== 503) forget()
        throw error
      }
    },
  }
}
