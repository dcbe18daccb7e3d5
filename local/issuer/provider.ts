import Oidc, { type Configuration, errors, type JWKS, type KoaContextWithOIDC } from 'oidc-provider'
// @ts-expect-error: it has no types. A provider without an adapter uses it too, but prints a warning.
import { createMemoryAdapter } from 'oidc-provider/lib/adapters/memory_adapter.js'
import type { Logger } from '#core/telemetry.ts'
import { isLocalPage } from '../allowed-hosts.ts'
import { logoutPage, messagePage } from './pages.ts'
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
const PASSWORD = 'password'

const claimsOf = ({ name, email, roles, organisation }: Person) => ({ name, email, roles, organisation })

const accessTokensFor = (audience: string) => ({
  audience,
  scope: '',
  accessTokenTTL: 12 * HOUR,
  accessTokenFormat: 'jwt' as const,
  jwt: { sign: { alg: ALGORITHM as 'ES256' } },
})

/** OpenID Connect for sample people: any caller can sign in as any of them, without password or consent. */
export function provider(options: ProviderOptions): Provider {
  const oidc = new Oidc(options.issuer, configurationOf(options))
  oidc.Client.prototype.redirectUriAllowed = isLocalPage
  oidc.Client.prototype.postLogoutRedirectUriAllowed = isLocalPage
  oidc.registerGrantType(PASSWORD, passwordGrant(oidc, options.audience), ['username', 'password', 'scope'])
  oidc.on('server_error', (_, error) => options.logger.error({ err: error }, 'the issuer failed'))
  return oidc
}

function configurationOf({ issuer, audience, jwks, cookieKeys }: ProviderOptions): Configuration {
  return {
    adapter: createMemoryAdapter(),
    jwks,
    cookies: { keys: cookieKeys },
    clients: clientsOf(issuer),
    clientBasedCORS: (_, origin) => isLocalPage(origin),
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
        getResourceServerInfo: () => accessTokensFor(audience),
      },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (ctx, form) => sendHtml(ctx, logoutPage(form)),
        postLogoutSuccessSource: (ctx) => sendHtml(ctx, messagePage('Logged out', 'You may close this page.')),
      },
    },
    interactions: { url: (_, { uid }) => `/oidc/login/${uid}` },
    loadExistingGrant: grantWithoutConsent,
    renderError: (ctx, { error, error_description = '' }) => sendHtml(ctx, messagePage(error, error_description)),
    ttl: {
      AccessToken: 12 * HOUR,
      AuthorizationCode: 60,
      Grant: 336 * HOUR,
      IdToken: HOUR,
      Interaction: HOUR,
      Session: 336 * HOUR,
    },
  }
}

const clientsOf = (issuer: string): Configuration['clients'] => [
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
]

async function grantWithoutConsent({ oidc: { client, session, provider } }: KoaContextWithOIDC) {
  const grant = new provider.Grant({ clientId: client?.clientId ?? '', accountId: session?.accountId ?? '' })
  grant.addOIDCScope('openid profile email')
  grant.addResourceScope(RESOURCE, '')
  await grant.save()
  return grant
}

const NAMES = Object.keys(people).join(', ')

/** The password grant of RFC 6749, section 4.3, for the command line. It accepts any password. */
function passwordGrant(oidc: Provider, audience: string) {
  return async (ctx: KoaContextWithOIDC): Promise<void> => {
    const { username } = ctx.oidc.params ?? {}
    const person = personOf(username)
    if (!person)
      throw new errors.CustomOIDCProviderError('invalid_grant', `there is no such person: there are ${NAMES}`)
    const token = new oidc.AccessToken({
      accountId: String(username),
      client: ctx.oidc.client as NonNullable<typeof ctx.oidc.client>,
      grantId: crypto.randomUUID(),
      gty: PASSWORD,
      scope: '',
    })
    token.resourceServer = new oidc.ResourceServer(RESOURCE, accessTokensFor(audience))
    ctx.body = { access_token: await token.save(), expires_in: token.expiration, token_type: 'Bearer' }
  }
}

function sendHtml(ctx: KoaContextWithOIDC, page: string): void {
  ctx.type = 'html'
  ctx.body = page
}
