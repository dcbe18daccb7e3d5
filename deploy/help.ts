/** Prints the usage and ends the program if `--help` or `-h` is among its options. Arguments after `--` are not options. */
export function printHelpIfAsked(usage: string): void {
  const args = process.argv.slice(2)
  const options = args.includes('--') ? args.slice(0, args.indexOf('--')) : args
  if (!options.includes('--help') && !options.includes('-h')) return
  console.log(usage.replace(/^\n+|\n+$/g, ''))
  process.exit(0)
}
