import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { MongoClient } from 'mongodb'
import { hasMongod, secantus } from './install.ts'
import { type Server, server } from './server.ts'

export const mongodbUriAt = (port: number): string => `mongodb://127.0.0.1:${port}/?directConnection=true`

/** A mongod on the PATH as a replica set of one, else the wire-compatible test server; every commit is synced to disk. */
export async function mongodbServer(dir: string, port: number, onStart: () => void): Promise<Server> {
  const data = join(dir, 'mongodb')
  mkdirSync(data, { recursive: true })
  const isReal = hasMongod()
  const command = isReal
    ? ['mongod', '--bind_ip', '127.0.0.1', '--dbpath', data, '--replSet', 'rs0']
    : [...(await secantus()), '--host', '127.0.0.1', '--storage-path', data, '--sync-on-commit']
  return server({
    name: 'MongoDB',
    command: [...command, '--port', `${port}`],
    logFile: join(dir, 'mongodb.log'),
    ready: () => expectPrimary(port),
    onStart,
  })
}

/** Initiates the replica set of a mongod that has none. */
async function expectPrimary(port: number): Promise<void> {
  const client = new MongoClient(mongodbUriAt(port), { serverSelectionTimeoutMS: 1000, connectTimeoutMS: 1000 })
  try {
    const admin = client.db('admin')
    const { isWritablePrimary, isreplicaset } = await admin.command({ hello: 1 })
    if (isWritablePrimary) return
    if (isreplicaset) {
      const members = [{ _id: 0, host: `127.0.0.1:${port}` }]
      await admin.command({ replSetInitiate: { _id: 'rs0', members } })
    }
    throw new Error('there is no primary yet')
  } finally {
    await client.close()
  }
}
