import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'

/** Copies the product to a new folder and adds these files, to run it with other domains. */
export function copyWith(files: { path: string; text: string }[]): string {
  const copy = newFolder()
  const parts = ['adapters', 'client', 'core', 'domains', 'functions', 'local', 'main', 'testing']
  for (const part of [...parts, 'package.json', 'tsconfig.json']) {
    cpSync(part, join(copy, part), { recursive: true, filter: (path) => !path.includes('node_modules') })
  }
  for (const { path, text } of files) {
    mkdirSync(dirname(join(copy, path)), { recursive: true })
    writeFileSync(join(copy, path), text)
  }
  return copy
}

/** Copies the whole repository to a new one with one commit, to do there what a contributor does. */
export function copyRepository(): string {
  const copy = newFolder()
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    encoding: 'utf8',
  })
  for (const path of listed.split('\0')) {
    // git lists node_modules where it is a link, and a file that is removed but not committed.
    if (path !== 'node_modules' && existsSync(path)) cpSync(path, join(copy, path))
  }
  if (existsSync('.millrace/tools')) {
    mkdirSync(join(copy, '.millrace'))
    symlinkSync(resolve('.millrace/tools'), join(copy, '.millrace/tools'))
  }
  const git = (...args: string[]) => execFileSync('git', args, { cwd: copy, stdio: 'pipe' })
  git('init', '--quiet')
  git('add', '--all')
  git('-c', 'user.name=test', '-c', 'user.email=test@mill.example', 'commit', '--quiet', '--message', 'Copy')
  return copy
}

function newFolder(): string {
  const copy = mkdtempSync(join(tmpdir(), 'millrace-copy-'))
  symlinkSync(resolve('node_modules'), join(copy, 'node_modules'))
  return copy
}
