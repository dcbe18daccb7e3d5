/** True when a character is visible: not only spaces, joiners, fillers and blanks. */
export const isVisible = (value: string): boolean =>
  /[[\p{L}\p{N}\p{P}\p{S}]--[\p{Default_Ignorable_Code_Point}\u2800]]/v.test(value)

const CONTROLS = /[\0\u202a-\u202e\u2066-\u2069]/g

/** The value without NUL and without the controls that change the direction of the text around it. */
export const stripControls = (value: string): string => value.replaceAll(CONTROLS, '')
