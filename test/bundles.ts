import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { resolve } from 'node:path'

/** The functions as the image runs them: a process for each bundle, in a folder without other files. */
const { PORT, GRPC_PORT, PERSIST_PORT, QUERY_PORT } = process.env

function start(target: string, env: Record<string, string | undefined>): ChildProcess {
  return spawn(process.execPath, [resolve('dist/serve.mjs')], {
    cwd: tmpdir(),
    env: {
      ...process.env,
      FUNCTION_TARGET: target,
      INSTANCE: `${target}-${PORT}`,
      ...env,
    },
    stdio: 'inherit',
  })
}

const [code] = await once(start('prepare', {}), 'exit')
if (code !== 0) process.exit(1)
const children = [
  start('persist', { PORT: PERSIST_PORT }),
  start('publish', { PORT }),
  start('grpc', { PORT: GRPC_PORT }),
  start('query', { PORT: QUERY_PORT }),
  start('source', { PORT: '0', PERSIST_URL: `http://127.0.0.1:${PERSIST_PORT}/` }),
]
const ends = children.map((child) => once(child, 'exit'))
// If one of them ends by itself, all of them are stopped, and the exit code says so.
void Promise.race(ends).then(stop)
process.once('SIGINT', stop)

async function stop(): Promise<void> {
  for (const child of children) child.kill('SIGTERM')
  const codes = (await Promise.all(ends)).map(([code]) => code)
  process.exit(codes.every((code) => code === 0) ? 0 : 1)
}
