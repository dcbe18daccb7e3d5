import { expect, test } from 'vitest'
import { misspeltSettings } from './misspelt-settings.ts'

test('a variable that nearly is a setting is reported', () => {
  expect(misspeltSettings({ KAFKA_BROKER: 'a', MILLRCE_DIR: 'b' })).toEqual([
    'KAFKA_BROKER is not a setting. Did you mean KAFKA_BROKERS?',
    'MILLRCE_DIR is not a setting. Did you mean MILLRACE_DIR?',
  ])
})

test('settings, variables of other programs and one beside the setting that it resembles are not reported', () => {
  expect(
    misspeltSettings({ PORT: '1', PATH: '', HOME: '', HOSTNAME: '', SHELL: '', USER: '', TERM: '', PWD: '' }),
  ).toEqual([])
  expect(misspeltSettings({ KAFKA_BROKER: 'a', KAFKA_BROKERS: 'b' })).toEqual([])
})
