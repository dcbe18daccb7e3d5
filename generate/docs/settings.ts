import { z } from 'zod'
import { settings } from '#main/settings.ts'
import { markdownTable } from './table.ts'

interface Setting {
  description: string
  default?: string | number
  defaultText?: string
}

/** Every setting with its default and its meaning. */
export function settingsTable(): string {
  const { properties } = z.toJSONSchema(z.object(settings), { io: 'input', unrepresentable: 'any' })
  const rows = Object.entries(properties as unknown as { [name: string]: Setting })
  return markdownTable(
    ['Variable', 'Default', 'Meaning'],
    rows.map(([name, setting]) => [`\`${name}\``, defaultOf(setting), setting.description]),
  )
}

function defaultOf({ default: value = '', defaultText }: Setting): string {
  return defaultText ?? (value === '' ? '' : `\`${value}\``)
}
