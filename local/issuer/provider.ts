import Oidc, { type Configuration, errors, type JWKS, type KoaContextWithOIDC } from 'oidc-provider'
// @ts-expect-error: it has no types; a provider that is given none uses it too, but complains.
import { createMemoryAdapter } from 'oidc-provider/lib/adapters/memory_adapter.js'
import type { Logger } from '#core/telemetry.ts'
import { logoutPage, saidPage } from './pages.ts'
import { type Person, people, personOf } from './people.ts'
import { SIGNED_IN } from './sign-in.ts'

export interface ProviderOptions {
  issuer: string
  audience: string
  jwks: JWKS
  cookieKeys: string[]
  logger: Pick<Logger, 'error'>
}

export type Provider = Oidc

/** The one API that tokens are for. */
const RESOURCE = 'urn:millrace:api'
const HOUR = 3600
const ALGORITHM = 'ES256'

const claimsOf = ({ name, email, roles, organisation }: Person) => ({ name, email, roles, organisation })

/** OpenID Connect for sample people: whoever asks for one of them gets what they have, without password or consent. */
export function provider({ issuer, audience, jwks, cookieKeys, logger }: ProviderOptions): Provider {
  const resource = { audience, scope: '', accessTokenTTL: 12 * HOUR, accessTokenFormat: 'jwt' as const }
  const told = { ...resource, jwt: { sign: { alg: ALGORITHM as 'ES256' } } }
  const html = (ctx: KoaContextWithOIDC, page: string) => {
    ctx.type = 'html'
    ctx.body = page
  }

  const configuration: Configuration = {
    adapter: createMemoryAdapter(),
    jwks,
    cookies: { keys: cookieKeys },
    clients: [
      {
        client_id: 'millrace-web',
        token_endpoint_auth_method: 'none',
        redirect_uris: [issuer + SIGNED_IN],
        grant_types: ['authorization_code'],
      },
      {
        client_id: 'millrace-cli',
        token_endpoint_auth_method: 'none',
        redirect_uris: [],
        response_types: [],
        grant_types: [PASSWORD],
      },
    ],
    clientBasedCORS: (_, origin) => isLocal(origin),
    clientDefaults: { id_token_signed_response_alg: ALGORITHM },
    conformIdTokenClaims: false,
    claims: { openid: ['sub', 'roles', 'organisation'], profile: ['name'], email: ['email'] },
    extraTokenClaims: (_, token) => claimsOf(personOf('accountId' in token ? token.accountId : '') as Person),
    findAccount: (_, id) => {
      const person = personOf(id)
      return person && { accountId: id, claims: () => ({ sub: id, ...claimsOf(person) }) }
    },
    features: {
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => RESOURCE,
        useGrantedResource: () => true,
        getResourceServerInfo: () => told,
      },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (ctx, form) => html(ctx, logoutPage(form)),
        postLogoutSuccessSource: (ctx) => html(ctx, saidPage('Logged out', 'You may close this page.')),
      },
    },
    interactions: { url: (_, { uid }) => `/oidc/login/${uid}` },
    async loadExistingGrant({ oidc: { client, session, provider } }) {
      const grant = new provider.Grant({ clientId: client?.clientId ?? '', accountId: session?.accountId ?? '' })
      grant.addOIDCScope('openid profile email')
      grant.addResourceScope(RESOURCE, '')
      await grant.save()
      return grant
    },
    renderError: (ctx, { error, error_description: why = '' }) => html(ctx, saidPage(error, why)),
    ttl: {
      AccessToken: 12 * HOUR,
      AuthorizationCode: 60,
      Grant: 336 * HOUR,
      IdToken: HOUR,
      Interaction: HOUR,
      Session: 336 * HOUR,
    },
  }
  const made = new Oidc(issuer, configuration)
  made.Client.prototype.redirectUriAllowed = isLocal
  made.Client.prototype.postLogoutRedirectUriAllowed = isLocal
  made.registerGrantType(PASSWORD, passwordGrant, ['username', 'password', 'scope'])
  made.on('server_error', (_, error) => logger.error({ err: error }, 'the issuer failed'))
  return made

  /** RFC 6749, 4.3, for the command line: whatever the password is. */
  async function passwordGrant(ctx: KoaContextWithOIDC): Promise<void> {
    const { username } = ctx.oidc.params ?? {}
    const person = personOf(username)
    if (!person)
      throw new errors.CustomOIDCProviderError('invalid_grant', `there is no such person: there are ${NAMES}`)
    const token = new made.AccessToken({
      accountId: String(username),
      client: ctx.oidc.client as NonNullable<typeof ctx.oidc.client>,
      grantId: crypto.randomUUID(),
      gty: PASSWORD,
      scope: '',
    })
    token.resourceServer = new made.ResourceServer(RESOURCE, told)
    ctx.body = { access_token: await token.save(), expires_in: token.expiration, token_type: 'Bearer' }
  }
}

const NAMES = Object.keys(people).join(', ')

const PASSWORD = 'password'

/** A page of this machine: other schemes have hosts too, `javascript:` among them. */
function isLocal(uri: string): boolean {
  if (!URL.canParse(uri)) return false
  const { protocol, hostname } = new URL(uri)
  return ['http:', 'https:'].includes(protocol) && ['localhost', '127.0.0.1', '[::1]'].includes(hostname)
}
