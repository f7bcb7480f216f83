import { expect } from 'chai'
import { ConfigError } from '../../deploy/process/config/fault.ts'
import { type ConfigSources, type LoadedConfig, loadConfig } from '../../deploy/process/config/load.ts'

export interface Given extends Partial<Omit<ConfigSources, 'flags' | 'text'>> {
  /** Becomes the text of the file, as JSON where it is no text already. */
  file?: unknown
  flags?: Record<string, string>
}

export function configure({ file, flags = {}, ...rest }: Given = {}): LoadedConfig {
  const text = file === undefined ? null : typeof file === 'string' ? file : JSON.stringify(file)
  return loadConfig({
    format: 'json',
    env: {},
    kind: 'both',
    ...rest,
    text,
    flags: new Map(Object.entries(flags)),
  })
}

/** The refusal; fails where the configuration is taken. */
export function refusal(given: Given): ConfigError {
  try {
    configure(given)
  } catch (error) {
    expect(error).to.be.instanceOf(ConfigError)
    return error as ConfigError
  }
  return expect.fail('the configuration was taken')
}
