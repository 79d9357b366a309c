/** The id of a trace, and the way to it where the service knows one. */
import { pageOf } from "../logic/trace";
import { me } from "../session";

/** The id; a link to its page in a tracing system, which opens beside the console. */
export function Trace({ id }: { id: string }) {
	const page = pageOf(id, me.value?.trace_url);
	const text = <code class="cut">{id}</code>;
	if (!page) return text;
	return (
		<a class="trace" href={page} target="_blank" rel="noreferrer" title="Open the trace">
			{text} ↗
		</a>
	);
}
