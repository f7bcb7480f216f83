import type { Check } from './checks.ts'
import type { Config } from './schema.ts'

/** What the keys about HTTPS cannot say together. */
export function tlsChecks({ enableHttps, tlsCertConfig, plainHttp, hub, reader }: Config): (Check | null)[] {
  const { certFile, keyFile, pfxFile } = tlsCertConfig
  if (enableHttps === null) return []
  const isPem = certFile !== undefined && keyFile !== undefined
  const hasNone = !isPem && pfxFile === undefined
  const hasBoth = pfxFile !== undefined && (certFile !== undefined || keyFile !== undefined)
  return [
    hasNone || hasBoth
      ? {
          keys: ['enableHttps', 'tlsCertConfig.certFile', 'tlsCertConfig.keyFile', 'tlsCertConfig.pfxFile'],
          value: enableHttps,
          problem: `needs ${hasBoth ? 'one of the two, not both' : 'a certificate'}: tlsCertConfig.certFile and tlsCertConfig.keyFile, or tlsCertConfig.pfxFile`,
        }
      : null,
    ...(plainHttp === 'off' ? [] : [samePort('hub', hub), samePort('reader', reader)]),
  ]
}

/** Gaia's files may have a certificate that is not used. */
export function tlsWarnings({ enableHttps, tlsCertConfig }: Config): string[] {
  if (enableHttps !== null || Object.keys(tlsCertConfig).length === 0) return []
  return ['not used: tlsCertConfig (enableHttps: "cert_files" is not set, so that plain HTTP is served)']
}

function samePort(
  section: 'hub' | 'reader',
  { port, httpsPort }: { port: number; httpsPort: number },
): Check | null {
  if (port !== httpsPort || port === 0) return null
  return {
    keys: [`${section}.httpsPort`, `${section}.port`],
    value: httpsPort,
    problem: `must be another port than ${section}.port, where plain HTTP is (plainHttp: "off" leaves it out)`,
  }
}
