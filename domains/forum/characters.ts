/** There is something to see: spaces, joiners, fillers and blanks alone are nothing. */
export const isVisible = (value: string): boolean =>
  /[[\p{L}\p{N}\p{P}\p{S}]--[\p{Default_Ignorable_Code_Point}\u2800]]/v.test(value)

const MISLEADING = /[\0\u202a-\u202e\u2066-\u2069]/g

/** Without what cuts a line short, or turns the one around it the other way. */
export const straight = (value: string): string => value.replaceAll(MISLEADING, '')
