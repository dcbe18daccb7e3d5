/** The folder that has Millrace's own folders. A bundle has that of the project's package, if Millrace is a package. */
export const OWN_FOLDER = new URL('..', import.meta.url)
