/** What is told of a body that is wrong all over: more would be larger than the body. */
const MOST_TOLD = 20
const LONGEST_NAME = 200

interface Issue {
  path: PropertyKey[]
  message: string
}

/** What a schema refused: field by field for programs, in one line for people. */
export function toFieldErrors({ issues }: { issues: Issue[] }): {
  errors: { field: string; message: string }[]
  detail: string
} {
  const told = issues.slice(0, MOST_TOLD)
  const errors = told.map(({ path, message }) => ({ field: short(path.join('.')), message: short(message) }))
  const lines = errors.map(({ field, message }) => (field ? `${field}: ${message}` : message))
  const more = issues.length > MOST_TOLD ? [`and ${issues.length - MOST_TOLD} more`] : []
  return { errors, detail: [...lines, ...more].join('; ') }
}

const short = (text: string): string => (text.length > LONGEST_NAME ? `${text.slice(0, LONGEST_NAME)}...` : text)
