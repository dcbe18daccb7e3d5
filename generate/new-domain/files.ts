import { appendTestText, appendText } from './append-text.ts'
import { decideTestText, decideText } from './decide-text.ts'
import type { Kind } from './name.ts'

/** A new domain as text, and its test. */
export const domainFiles = (name: string, kind: Kind): { domain: string; test: string } =>
  kind === 'append'
    ? { domain: appendText(name), test: appendTestText(name) }
    : { domain: decideText(name), test: decideTestText(name) }

/** The lines that show the author how to go on. */
export const nextSteps = (name: string): string => `
Change domains/${name}/domain.ts to what you need, and run \`make docs\` whenever its routes or its topic change. Try it:

  npx vitest run domains/${name}
  make dev

and in another terminal:

  TOKEN=$(make -s token USER=member)
  curl -i localhost:8080/api/${name} -H "authorization: Bearer $TOKEN" -H 'content-type: application/json' -H 'prefer: wait=5' -d '{"title":"It turns"}'
  curl localhost:8080/api/${name} -H "authorization: Bearer $TOKEN"
`
