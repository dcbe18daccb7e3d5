import { copyFileSync, symlinkSync } from 'node:fs'
import { arch, platform } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../mill.ts'
import { restateTools } from '../services/install.ts'
import { newFolder } from './sandbox.ts'
import { launch, type Served } from './served.ts'

const SERVICE = 'restate-service.mjs'

/** A Restate server with its default settings, and a process with the handlers, which it calls over HTTP/2. */
export async function startRestate(): Promise<Served> {
  const modules = join(await restateTools(), 'node_modules')
  const folder = newFolder()
  symlinkSync(modules, join(folder, 'node_modules'))
  copyFileSync(join('test/bench', SERVICE), join(folder, SERVICE))
  const [handlers = 0, node, ingress, admin] = await Promise.all([freePort(), freePort(), freePort(), freePort()])
  const service = launch([process.execPath, join(folder, SERVICE)], {
    env: { PORT: String(handlers), RESTATE_LOGGING: 'WARN' },
  })
  const binary = join(modules, `@restatedev/restate-server-${platform()}-${arch()}/bin/restate-server`)
  const server = launch([binary, '--no-logo'], {
    env: {
      RESTATE_BASE_DIR: join(folder, 'data'),
      RESTATE_NODE_NAME: 'bench',
      RESTATE_LISTEN_MODE: 'tcp',
      RESTATE_BIND_IP: '127.0.0.1',
      RESTATE_BIND_PORT: String(node),
      RESTATE_INGRESS__BIND_PORT: String(ingress),
      RESTATE_ADMIN__BIND_PORT: String(admin),
      RESTATE_LOG_FILTER: 'warn',
      RESTATE_DISABLE_TELEMETRY: 'true',
    },
  })
  const stop = async () => {
    await Promise.all([server.stop(), service.stop()])
  }
  const url = `http://127.0.0.1:${ingress}`
  try {
    await server.ready(() => isPosted(`http://127.0.0.1:${admin}/deployments`, { uri: `http://127.0.0.1:${handlers}` }))
    const readyMs = await server.ready(() => isPosted(`${url}/sums/first/add`, { firstNumber: 1, secondNumber: 1 }))
    return { url, grpc: '', readyMs, cpu: () => server.cpu() + service.cpu(), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

const isPosted = (url: string, body: object): Promise<boolean> =>
  fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(5000),
  }).then(
    async (answer) => {
      await answer.arrayBuffer()
      return answer.ok
    },
    () => false,
  )
