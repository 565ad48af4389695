/** What came back. */
export interface Shown {
  readonly status: number;
  readonly text: string;
}

/** As much of a browser as the approvals page needs: it follows the sign-in, keeps the cookie and sends forms. */
export class Browser {
  #cookie: string | undefined;
  #at = '';

  /** The address of the page that it shows. */
  get at(): string {
    return this.#at;
  }

  /** Opens an address, follows one redirect on the way. */
  async open(address: string): Promise<Shown> {
    const first = await fetch(address, { redirect: 'manual', headers: this.#headers() });
    const cookie = first.headers.get('set-cookie')?.split(';')[0];
    if (cookie !== undefined) this.#cookie = cookie;
    const location = first.headers.get('location');
    this.#at = new URL(location ?? '', address).href;
    if (location === null) return { status: first.status, text: await first.text() };
    await first.body?.cancel();
    const next = await fetch(this.#at, { redirect: 'manual', headers: this.#headers() });
    return { status: next.status, text: await next.text() };
  }

  /** Sends a form to `address`, which counts from the page, as a page of `origin` would. */
  async post(
    address: string,
    form: Readonly<Record<string, string>>,
    { origin }: { readonly origin: string },
  ): Promise<Shown> {
    const headers = { ...this.#headers(), origin, 'content-type': 'application/x-www-form-urlencoded' };
    const response = await fetch(new URL(address, this.#at === '' ? undefined : this.#at), {
      method: 'POST',
      redirect: 'manual',
      headers,
      body: new URLSearchParams(form),
    });
    return { status: response.status, text: await response.text() };
  }

  #headers(): Record<string, string> {
    return this.#cookie === undefined ? {} : { cookie: this.#cookie };
  }
}
