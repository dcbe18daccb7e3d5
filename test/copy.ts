import { cpSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'

/** Copies the product to a new folder and adds these files, to run it with other domains. */
export function copyWith(files: { path: string; text: string }[]): string {
  const copy = mkdtempSync(join(tmpdir(), 'millrace-copy-'))
  for (const part of ['adapters', 'core', 'domains', 'functions', 'local', 'main', 'package.json', 'tsconfig.json']) {
    cpSync(part, join(copy, part), { recursive: true })
  }
  symlinkSync(resolve('node_modules'), join(copy, 'node_modules'))
  for (const { path, text } of files) {
    mkdirSync(dirname(join(copy, path)), { recursive: true })
    writeFileSync(join(copy, path), text)
  }
  return copy
}
