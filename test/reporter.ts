import { appendFileSync } from 'node:fs'
import type { Reporter, TestCase, TestModule } from 'vitest/node'

/** A line of the report for an ended test. It is written at once, so that it survives when the run is killed. */
export interface Line {
  state: 'passed' | 'failed' | 'skipped'
  name: string
}

/** The variable that names the report. */
export const REPORT_VARIABLE = 'MILLRACE_TEST_REPORT'

const { [REPORT_VARIABLE]: file = '.millrace/report.ndjson' } = process.env
const write = (line: Line) => appendFileSync(file, `${JSON.stringify(line)}\n`)

export default class implements Reporter {
  onTestCaseResult(test: TestCase): void {
    const { state } = test.result()
    if (state !== 'pending') write({ state, name: `${test.module.relativeModuleId} > ${test.fullName}` })
  }

  /** Records a module whose tests could not be read or run, because an import failed or a hook threw. */
  onTestModuleEnd(module: TestModule): void {
    if (module.errors().length > 0) write({ state: 'failed', name: module.relativeModuleId })
  }
}
