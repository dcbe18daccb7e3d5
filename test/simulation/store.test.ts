import { storeContract } from '#adapters/store/contract.ts'
import { commitContract } from '#adapters/store/contract-commit.ts'
import { indexContract } from '#adapters/store/contract-index.ts'
import { replicaSet } from './replicas.ts'
import { simulatedStore } from './store.ts'

/** The simulated store passes the same contract as the real ones. */
async function makeGround() {
  const replicas = replicaSet(Date.now)
  return { open: () => simulatedStore(replicas, async (_, effect) => effect()), remove: async () => {} }
}

storeContract('simulated', makeGround)
commitContract('simulated', makeGround)
indexContract('simulated', makeGround)
