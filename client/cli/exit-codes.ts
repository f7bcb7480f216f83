/** How a command ends: its status for the shell, told in help and in docs/cli.md. */
export const exitCodes = {
  ok: { status: 0, means: 'done' },
  failed: { status: 1, means: 'failed for a reason that none of the others names' },
  usage: { status: 2, means: 'the command line cannot be understood, or lacks something' },
  'not-found': { status: 3, means: 'no such file, version, delegation or grant' },
  conflict: { status: 4, means: 'something else is there already, or it was changed by somebody else' },
  refused: { status: 5, means: 'the hub refused the credential: not allowed, expired or revoked' },
  network: { status: 6, means: 'hub or reader cannot be reached, or cannot serve now; try again later' },
  invalid: { status: 7, means: 'the hub takes no such name, size or request' },
  key: { status: 8, means: 'no such key, or the place that keeps it cannot be used' },
  sealed: {
    status: 9,
    means: 'a sealed file does not open with the keys at hand, or a key or a signature is not trusted',
  },
  interrupted: { status: 130, means: 'interrupted by Ctrl-C; what was under way goes on when run again' },
} as const satisfies Record<string, { status: number; means: string }>

export type ExitName = keyof typeof exitCodes
