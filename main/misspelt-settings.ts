import { nearest } from '#core/checks/hints.ts'
import { settings } from './settings.ts'

/** A warning for each variable that is no setting but nearly is one, which is not set. */
export function misspeltSettings(env: NodeJS.ProcessEnv): string[] {
  const absent = Object.keys(settings).filter((name) => env[name] === undefined)
  return Object.keys(env)
    .filter((name) => !Object.hasOwn(settings, name))
    .flatMap((name) => {
      const meant = nearest(name, absent)
      return meant === undefined ? [] : [`${name} is not a setting. Did you mean ${meant}?`]
    })
}
