import { exportTotal } from './export-total.ts'
import { bootstrapFlux } from './flux.ts'
import { printHelpIfAsked } from './help.ts'
import { deleteCluster } from './kind-cluster.ts'
import { fillPins, unpinned } from './pins/pins.ts'
import { readSettings } from './settings.ts'
import { smoke } from './smoke.ts'
import { type Step, steps } from './steps.ts'
import { openTargetCluster, type TargetCluster } from './target-cluster.ts'
import { pin } from './versions.ts'

/** make deploy, each of its steps, and other operations on a cluster: `node deploy/cli.ts <name> ...`. */

const others: Step[] = [
  {
    name: 'pin',
    what: 'fills in the checksums of installed files',
    run: ({ settings, print }) => pin(settings.VERSIONS, print),
  },
  {
    name: 'digests',
    what: 'fills in the digests of images and the commits of actions',
    run: ({ print }) => fillPins('.', print),
  },
  {
    name: 'unpinned',
    what: 'lists images, actions and files that are not pinned; `make pin` pins them, and a release requires it',
    run: async ({ versions, print }) => unpinned('.', versions).forEach((what) => void print(`  ${what}`)),
  },
  { name: 'smoke', what: 'tests a running cluster from outside', run: smoke },
  { name: 'total', what: 'exports the running total of all sums, for audit', run: exportTotal },
  { name: 'flux', what: 'makes Flux follow the repository', run: bootstrapFlux },
  { name: 'undeploy', what: 'deletes the kind cluster with its data', run: deleteCluster },
]

const printExamples = ({ settings: { SITE }, print }: TargetCluster) =>
  print(`
Millrace is ready at ${SITE} (reads also at port 30001, writes at 30002, the brokers at localhost:30010-30012). Try:
  curl -i ${SITE}/api/tutorials -H 'content-type: application/json' -H 'prefer: wait=5' -d '{"title":"Learn to mill"}'
  curl ${SITE}/api/tutorials
  kubectl -n millrace get ksvc,kafkasources
`)

const USAGE = `
  make deploy                                      runs the steps below in order; each is a target too
${[...steps, ...others].map(({ name, what }) => `  make ${name.padEnd(44)}${what}`).join('\n')}

Settings are variables on make's command line: CLUSTER= LIMIT= OVERLAY= CONTEXT= IMAGE= SITE= FAULTS= FILE= HISTORY= REPO= BRANCH=
`

printHelpIfAsked(USAGE)
const names = process.argv.slice(2)
const wanted = names.flatMap((name) =>
  name === 'deploy' ? steps : [...steps, ...others].filter((step) => step.name === name),
)
if (wanted.length < Math.max(1, names.length)) {
  console.error(`node deploy/cli.ts deploy | ${[...steps, ...others].map(({ name }) => name).join(' | ')}`)
  process.exit(1)
}
try {
  const target = openTargetCluster(readSettings(process.env))
  for (const { name, what, run } of wanted) {
    target.print(`${name}: ${what}`)
    await run(target)
  }
  if (names.includes('deploy')) printExamples(target)
} catch (error) {
  console.error(`\n${(error as Error).message}`)
  process.exit(1)
}
