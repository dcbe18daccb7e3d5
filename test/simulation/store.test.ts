import { storeContract } from '#test/contracts/store.ts'
import { commitContract } from '#test/contracts/store-commit.ts'
import { idsContract } from '#test/contracts/store-ids.ts'
import { indexContract } from '#test/contracts/store-index.ts'
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
idsContract('simulated', makeGround)
