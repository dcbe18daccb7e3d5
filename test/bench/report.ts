/** A line of the table. */
export interface Figure {
  row: string
  name: string
  value: number
  unit: string
  /** The ratio to the floor in the same run. */
  ratio?: { of: string; value: number }
  aim?: { text: string; isMet: boolean }
}

/** The comparison `a <= b` in words. */
export const atMost = (value: number, limit: number, unit: string) => ({
  text: `<= ${limit}${unit}`,
  isMet: value <= limit,
})

export const atLeast = (value: number, limit: number, unit: string) => ({
  text: `>= ${limit}${unit}`,
  isMet: value >= limit,
})

/** The number with three significant digits. */
const short = (value: number): string =>
  value >= 100 ? Math.round(value).toLocaleString('en') : String(Number(value.toPrecision(3)))

const HEAD = ['', 'figure', 'value', 'unit', 'ratio', 'aim', '']

/** The figures as a Markdown table, which a terminal shows as a table too. */
export function table(figures: Figure[]): string {
  const lines = figures.map(({ row, name, value, unit, ratio, aim }) => [
    row,
    name,
    short(value),
    unit,
    ratio ? `${ratio.value.toFixed(2)}x ${ratio.of}` : '',
    aim?.text ?? '',
    aim ? (aim.isMet ? 'met' : 'MISSED') : '',
  ])
  const widths = HEAD.map((head, at) => Math.max(head.length, ...lines.map((cells) => cells[at]?.length ?? 0)))
  const lineOf = (cells: string[]) =>
    `| ${cells.map((cell, at) => (at === 2 ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0))).join(' | ')} |`
  const rule = `|${widths.map((width, at) => '-'.repeat(at === 2 ? width + 1 : width + 2) + (at === 2 ? ':' : '')).join('|')}|`
  return [lineOf(HEAD), rule, ...lines.map(lineOf)].join('\n')
}
