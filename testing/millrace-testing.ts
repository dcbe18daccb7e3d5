/** The kit for tests of domains: all that there is to import from `millrace/testing`. */

export { type CommandTo, type Given, given, type When } from './given.ts'
