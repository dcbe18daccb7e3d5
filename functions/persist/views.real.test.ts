import { MongoClient } from 'mongodb'
import { afterAll, expect, test } from 'vitest'
import { mongodbStore } from '#adapters/store/mongodb.ts'
import { collections } from '#core/collections.ts'
import letterDomain from '#core/letters/domain.ts'
import { Conflict } from '#core/store.ts'
import { config } from '#main/config.ts'
import { compete, teams, withTeams } from '#test/teams.ts'
import { quiet } from '#test/telemetry.ts'

const { MONGODB_URI: uri } = config()
const database = `views_${process.pid}`

afterAll(async () => {
  const client = new MongoClient(uri)
  await client.db(database).dropDatabase()
  await client.close()
})

test('given two instances on MongoDB, then a document that every stream changes is exact', async () => {
  const store = mongodbStore({ ...quiet(), uri, database })
  await store.prepare(collections([withTeams, letterDomain]))
  let conflicts = 0
  const commit: typeof store.commit = (writes) =>
    store.commit(writes).catch((error) => {
      if (error instanceof Conflict) conflicts++
      throw error
    })
  await compete({ ...store, commit })
  expect((await store.get(teams, ['a'])).get('a')).toMatchObject({ counts: 100, sum: 100 })
  expect(conflicts).toBeGreaterThan(0)
  await store.close()
})
