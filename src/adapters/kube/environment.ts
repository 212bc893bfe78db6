/** The environment of the process, as the programs hand it on. */
export type Environment = Readonly<Record<string, string | undefined>>;
