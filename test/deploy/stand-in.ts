import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Rule } from './rehearsal.ts'

/** Stands in for docker, kind or kubectl: writes down how it was called and answers by the first rule that fits. */
const [folder = '', tool = '', ...args] = process.argv.slice(2)
const input = readFileSync(0, 'utf8')
appendFileSync(join(folder, 'calls'), `${JSON.stringify({ tool, args, input })}\n`)

const path = join(folder, 'rules')
const rules: Rule[] = JSON.parse(readFileSync(path, 'utf8'))
const rule = rules.find(({ call }) => [tool, ...args].join(' ').includes(call))
if (rule?.once) writeFileSync(path, JSON.stringify(rules.filter((other) => other !== rule)))
if (rule?.says) console.log(typeof rule.says === 'string' ? rule.says : JSON.stringify(rule.says))
if (rule?.fails) {
  console.error(rule.fails)
  process.exitCode = 1
}
