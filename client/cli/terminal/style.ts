import type { Out } from '../io.ts'

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan'

/** SGR parameters (ECMA-48 8.3.117): on and off. */
const codes: Record<Style, readonly [number, number]> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
}

export type Paint = (style: Style, text: string) => string

/** Colours for terminals only, and for none where NO_COLOR is set (https://no-color.org) or the terminal is dumb. */
export function paintFor(out: Out, env: Readonly<Record<string, string | undefined>>): Paint {
  const isPlain = out.isTTY !== true || (env.NO_COLOR ?? '') !== '' || env.TERM === 'dumb'
  return (style, text) => (isPlain ? text : wrap(codes[style], text))
}

function wrap([on, off]: readonly [number, number], text: string): string {
  return `\u001b[${on}m${text}\u001b[${off}m`
}

/**
 * Control characters, which rewrite the screen, and those that turn the direction of text, which make a name look like
 * another (Unicode's bidirectional formatting characters), and separators of lines.
 */
const unprintable = /[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029]/gu

/** Text of others, made harmless for a terminal: a file's name must not be able to rewrite the screen. */
export function printable(text: string): string {
  return text.replace(unprintable, (character) => {
    const code = character.charCodeAt(0)
    return `\\u${code.toString(16).padStart(4, '0')}`
  })
}
