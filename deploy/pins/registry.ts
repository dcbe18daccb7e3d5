import { createHash } from 'node:crypto'

/** An index of several platforms, or the manifest of an image with one platform. */
const ACCEPT = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ')

const HUB = 'registry-1.docker.io'
const TIMEOUT_MS = 30_000

/** The current digest of an image's tag, computed from the manifest. */
export async function digestOf(image: string, tag: string): Promise<string> {
  const url = manifestUrl(image, tag)
  const first = await get(url, { accept: ACCEPT })
  const answer = first.status === 401 ? await get(url, { accept: ACCEPT, ...(await authorization(first)) }) : first
  if (!answer.ok) throw new Error(`${url} answers ${answer.status}`)
  const digest = `sha256:${createHash('sha256')
    .update(Buffer.from(await answer.arrayBuffer()))
    .digest('hex')}`
  const claimed = answer.headers.get('docker-content-digest')
  if (claimed && claimed !== digest) throw new Error(`${url} claims to be ${claimed}, and is ${digest}`)
  return digest
}

/** Reads a name as Docker does: the first part is a host if it looks like one, and Docker Hub has short names in `library`. */
function manifestUrl(image: string, tag: string): string {
  const [first = '', ...rest] = image.split('/')
  const isHost = rest.length > 0 && /[.:]|^localhost$/.test(first)
  const host = isHost && first !== 'docker.io' ? first : HUB
  const path = isHost ? rest.join('/') : image
  const repository = host === HUB && !path.includes('/') ? `library/${path}` : path
  const scheme = /^(localhost|127\.)/.test(host) ? 'http' : 'https'
  return `${scheme}://${host}/v2/${repository}/manifests/${tag}`
}

/** A token for anonymous reading, from the URL that the registry names. */
async function authorization(refusal: Response): Promise<{ authorization: string }> {
  const challenge = refusal.headers.get('www-authenticate') ?? ''
  const { realm, ...parameters } = Object.fromEntries(
    [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, name = '', value = '']) => [name, value]),
  )
  if (!/^bearer /i.test(challenge) || !realm) throw new Error(`${refusal.url} asks for ${challenge || 'a password'}`)
  const answer = await get(`${realm}?${new URLSearchParams(parameters)}`)
  const { token, access_token } = (await answer.json()) as { token?: string; access_token?: string }
  return { authorization: `Bearer ${token ?? access_token}` }
}

async function get(url: string, headers: Record<string, string> = {}): Promise<Response> {
  try {
    return await fetch(url, { headers, signal: AbortSignal.timeout(TIMEOUT_MS) })
  } catch (cause) {
    const { message } = ((cause as Error).cause ?? cause) as Error
    throw new Error(`can't reach ${url}: ${message}`, { cause })
  }
}
