import { deleteCluster } from './cluster.ts'
import { bootstrapFlux } from './flux.ts'
import { helpIfAsked } from './help.ts'
import { fillPins, unpinned } from './pins/pins.ts'
import { readSettings } from './settings.ts'
import { smoke } from './smoke.ts'
import { type Step, steps } from './steps.ts'
import { exportTotal } from './total.ts'
import { pin } from './versions.ts'
import { openWorld, type World } from './world.ts'

/** make deploy, each of its steps, and what else is done to a cluster: `node deploy/cli.ts <name> ...`. */

const others: Step[] = [
  { name: 'pin', what: 'the checksums of what is installed', run: ({ settings, say }) => pin(settings.VERSIONS, say) },
  {
    name: 'digests',
    what: 'the digests of images and the commits of actions',
    run: ({ say }) => fillPins('.', say),
  },
  {
    name: 'unpinned',
    what: 'images, actions and files that are not pinned yet; `make pin` pins them, and a release needs it',
    run: async ({ versions, say }) => unpinned('.', versions).forEach((what) => void say(`  ${what}`)),
  },
  { name: 'smoke', what: 'a running cluster, from outside', run: smoke },
  { name: 'total', what: 'the running total of all sums, for audit', run: exportTotal },
  { name: 'flux', what: 'Flux follows the repository', run: bootstrapFlux },
  { name: 'undeploy', what: 'the kind cluster goes, with its data', run: deleteCluster },
]

const farewell = ({ settings: { SITE }, say }: World) =>
  say(`
Millrace is ready at ${SITE} (reads also at port 30001, writes at 30002, the brokers at localhost:30010-30012). Try:
  curl -i ${SITE}/api/tutorials -H 'content-type: application/json' -H 'prefer: wait=5' -d '{"title":"Learn to mill"}'
  curl ${SITE}/api/tutorials
  kubectl -n millrace get ksvc,kafkasources
`)

const USAGE = `
  make deploy                                      the steps below, in their order; each is a target too
${[...steps, ...others].map(({ name, what }) => `  make ${name.padEnd(44)}${what}`).join('\n')}

Settings are variables on make's command line: CLUSTER= LIMIT= OVERLAY= CONTEXT= IMAGE= SITE= FAULTS= FILE= HISTORY= REPO= BRANCH=
`

helpIfAsked(USAGE)
const names = process.argv.slice(2)
const wanted = names.flatMap((name) =>
  name === 'deploy' ? steps : [...steps, ...others].filter((step) => step.name === name),
)
if (wanted.length < Math.max(1, names.length)) {
  console.error(`node deploy/cli.ts deploy | ${[...steps, ...others].map(({ name }) => name).join(' | ')}`)
  process.exit(1)
}
try {
  const world = openWorld(readSettings(process.env))
  for (const { name, what, run } of wanted) {
    world.say(`${name}: ${what}`)
    await run(world)
  }
  if (names.includes('deploy')) farewell(world)
} catch (error) {
  console.error(`\n${(error as Error).message}`)
  process.exit(1)
}
