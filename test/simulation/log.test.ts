import { logContract } from '#test/contracts/log.ts'
import { newTopics, simulatedLog } from './log.ts'

/** The simulated log passes the same contract as the real ones. */
logContract('simulated', async () => {
  const topics = newTopics()
  return {
    open: (options) => simulatedLog(topics, async (_, effect) => effect(), Date.now, options?.maxBuffered),
    remove: async () => {},
  }
})
