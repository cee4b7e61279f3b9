import type Docker from 'dockerode';
import { engineError } from './containerState.ts';

interface ShelvedImage {
  readonly digest?: string;
  readonly failure?: string;
}

const PULL_BOUND_MS = 300_000;
/** A known image is trusted this long; creating a container tells at once when it has gone. */
const TRUST_MS = 60_000;

/** Knows which images the engine has, so that a launch asks for none it has asked for lately; pulls what is missing. */
export class ImageShelf {
  readonly #docker: Docker;
  readonly #known = new Map<string, { readonly image: Promise<ShelvedImage>; readonly atMs: number }>();
  readonly #digests = new Map<string, string>();

  constructor(docker: Docker) {
    this.#docker = docker;
  }

  /** The image, or why it cannot be had. Rejects only when the engine does not answer. */
  ensure(reference: string): Promise<ShelvedImage> {
    const known = this.#known.get(reference);
    if (known !== undefined && Date.now() - known.atMs < TRUST_MS) return known.image;
    const image = this.#look(reference);
    this.#known.set(reference, { image, atMs: Date.now() });
    image.then(
      ({ digest, failure }) => {
        if (digest !== undefined) this.#digests.set(reference, digest);
        // The next task may find it: only success is remembered.
        if (failure !== undefined) this.forget(reference);
      },
      () => this.forget(reference),
    );
    return image;
  }

  forget(reference: string): void {
    this.#known.delete(reference);
  }

  digest(reference: string): string | undefined {
    return this.#digests.get(reference);
  }

  async #look(reference: string): Promise<ShelvedImage> {
    const present = await this.#inspect(reference);
    if (present !== undefined) return present;
    try {
      await this.#pull(reference);
    } catch (error) {
      const { statusCode, message } = engineError(error);
      if (statusCode === undefined && (error as NodeJS.ErrnoException).code !== undefined) throw error;
      return { failure: message };
    }
    return (await this.#inspect(reference)) ?? { failure: `image ${reference} is missing after its pull` };
  }

  async #inspect(reference: string): Promise<ShelvedImage | undefined> {
    try {
      const { RepoDigests, Id } = await this.#docker.getImage(reference).inspect();
      // An image made here has no digest of a registry; its id is as exact.
      return { digest: RepoDigests?.[0]?.split('@')[1] ?? Id };
    } catch (error) {
      if (engineError(error).statusCode === 404) return undefined;
      throw error;
    }
  }

  async #pull(reference: string): Promise<void> {
    const progress = await this.#docker.pull(
      /[:@]/.test(reference.split('/').at(-1) ?? '') ? reference : `${reference}:latest`,
      {
        abortSignal: AbortSignal.timeout(PULL_BOUND_MS),
      },
    );
    await new Promise<void>((resolve, reject) => {
      this.#docker.modem.followProgress(progress, (error: Error | null) =>
        error === null ? resolve() : reject(error),
      );
    });
  }
}
