// Ends a process that runs on a Node too old for this project. Plain JavaScript, because such a Node cannot read TypeScript.
const OLDEST = 24
const current = process.versions.node

if (Number.parseInt(current, 10) < OLDEST) {
  console.error(
    `Millrace needs Node ${OLDEST} or later, and this is Node ${current}. Install it from https://nodejs.org. In a clone of Millrace on Linux, make brings its own.`,
  )
  process.exit(1)
}
