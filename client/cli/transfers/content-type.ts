import { extname } from 'node:path'

const text = (type: string) => `${type}; charset=utf-8`

/** The types that people store; browsers need them right to show a file. */
const typesByExtension: Readonly<Record<string, string>> = {
  '.txt': text('text/plain'),
  '.log': text('text/plain'),
  '.md': text('text/markdown'),
  '.html': text('text/html'),
  '.htm': text('text/html'),
  '.css': text('text/css'),
  '.csv': text('text/csv'),
  '.ics': text('text/calendar'),
  '.js': text('text/javascript'),
  '.mjs': text('text/javascript'),
  '.json': 'application/json',
  '.jsonld': 'application/ld+json',
  '.geojson': 'application/geo+json',
  '.map': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.xml': 'application/xml',
  '.yaml': 'application/yaml',
  '.yml': 'application/yaml',
  '.toml': 'application/toml',
  '.pdf': 'application/pdf',
  '.wasm': 'application/wasm',
  '.zip': 'application/zip',
  '.gz': 'application/gzip',
  '.tar': 'application/x-tar',
  '.7z': 'application/x-7z-compressed',
  '.epub': 'application/epub+zip',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.gif': 'image/gif',
  '.webp': 'image/webp',
  '.avif': 'image/avif',
  '.heic': 'image/heic',
  '.svg': 'image/svg+xml',
  '.ico': 'image/vnd.microsoft.icon',
  '.bmp': 'image/bmp',
  '.tif': 'image/tiff',
  '.tiff': 'image/tiff',
  '.mp3': 'audio/mpeg',
  '.m4a': 'audio/mp4',
  '.ogg': 'audio/ogg',
  '.opus': 'audio/ogg',
  '.flac': 'audio/flac',
  '.wav': 'audio/wav',
  '.mp4': 'video/mp4',
  '.webm': 'video/webm',
  '.mov': 'video/quicktime',
  '.mkv': 'video/matroska',
  '.woff': 'font/woff',
  '.woff2': 'font/woff2',
  '.ttf': 'font/ttf',
  '.otf': 'font/otf',
}

/** The media type that a name suggests (IANA's registry); bytes where it suggests none. */
export function contentTypeOf(name: string): string {
  return typesByExtension[extname(name).toLowerCase()] ?? 'application/octet-stream'
}
