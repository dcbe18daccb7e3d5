/** The limits of an error report, which must not be larger than the body that it describes. */
const MAX_ERRORS = 20
const MAX_TEXT = 200

interface Issue {
  path: PropertyKey[]
  message: string
}

/** The issues of a schema: a list of fields for programs, and one line for people. */
export function toFieldErrors({ issues }: { issues: Issue[] }): {
  errors: { field: string; message: string }[]
  detail: string
} {
  const reported = issues.slice(0, MAX_ERRORS)
  const errors = reported.map(({ path, message }) => ({ field: short(path.join('.')), message: short(message) }))
  const lines = errors.map(({ field, message }) => (field ? `${field}: ${message}` : message))
  const more = issues.length > MAX_ERRORS ? [`and ${issues.length - MAX_ERRORS} more`] : []
  return { errors, detail: [...lines, ...more].join('; ') }
}

const short = (text: string): string => (text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}...` : text)
