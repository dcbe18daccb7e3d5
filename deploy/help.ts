/** Prints how a program is used and ends it, if `--help` or `-h` is among its options. What follows `--` is no option. */
export function helpIfAsked(usage: string): void {
  const args = process.argv.slice(2)
  const options = args.includes('--') ? args.slice(0, args.indexOf('--')) : args
  if (!options.includes('--help') && !options.includes('-h')) return
  console.log(usage.replace(/^\n+|\n+$/g, ''))
  process.exit(0)
}
