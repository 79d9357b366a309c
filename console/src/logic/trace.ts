/** The trace of a job, and the address of its page in a tracing system. */

const HEADER = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-/;

/** Returns the id of the trace that the header `traceparent` names; "" if there is none. */
export function traceOf(headers: Record<string, string>): string {
	const id = HEADER.exec(headers.traceparent ?? "")?.[1] ?? "";
	return /[1-9a-f]/.test(id) ? id : "";
}

/** Returns the page of a trace, by the template of a service; "" if it has none that is of the web. */
export function pageOf(id: string, template: string | null | undefined): string {
	return /^https?:\/\//.test(template ?? "") ? (template ?? "").replaceAll("{trace_id}", id) : "";
}
