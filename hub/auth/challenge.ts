/** The text that Gaia's clients sign, as `hub_info` gives it (PROTOCOL 1.2). */
export function challengeText(serverName: string, generation: '0' | '2018' | '2019' = '0'): string {
  return JSON.stringify(['gaiahub', generation, serverName, 'blockstack_storage_please_sign'])
}

/** Every text that a token may have signed: today's and those of 2018 and 2019. */
export function acceptedChallenges(serverName: string): readonly string[] {
  return [challengeText(serverName), challengeText(serverName, '2018'), challengeText(serverName, '2019')]
}
