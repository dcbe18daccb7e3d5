import { appendFileSync } from 'node:fs'
import type { Reporter, TestCase, TestModule } from 'vitest/node'

/** A line for each test that has ended, written at once: what is there stays when the run is killed. */
export interface Line {
  state: 'passed' | 'failed' | 'skipped'
  name: string
}

/** Where the lines go. */
export const REPORT_VARIABLE = 'MILLRACE_TEST_REPORT'

const { [REPORT_VARIABLE]: file = '.millrace/report.ndjson' } = process.env
const write = (line: Line) => appendFileSync(file, `${JSON.stringify(line)}\n`)

export default class implements Reporter {
  onTestCaseResult(test: TestCase): void {
    const { state } = test.result()
    if (state !== 'pending') write({ state, name: `${test.module.relativeModuleId} > ${test.fullName}` })
  }

  /** Its tests are not known, or not run: an import that fails, a hook that throws. */
  onTestModuleEnd(module: TestModule): void {
    if (module.errors().length > 0) write({ state: 'failed', name: module.relativeModuleId })
  }
}
