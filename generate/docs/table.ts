/** A Markdown table. Cells may contain any text on one line. */
export function markdownTable(columns: string[], rows: string[][]): string {
  const lines = [columns, columns.map(() => '---'), ...rows]
  return lines.map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`).join('')
}
