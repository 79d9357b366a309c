/** System: the settings and who gave them, the store, the service, and its machine. */
import { useData } from "../api/cache";
import type { Demand, ServiceInfo, Settings, StoreInfo, SystemInfo } from "../api/types";
import { count, length } from "../logic/lengths";
import { Fact } from "../parts/fact";
import { Loaded, Page, Section } from "../parts/page";
import { When } from "../parts/when";
import { API, href } from "../place";
import { me } from "../session";
import { Metrics } from "./system/metrics";
import { SettingList } from "./system/settings";
import { StoreFacts } from "./system/store";

/** The screen. */
export default function System() {
	const system = useData<SystemInfo>("system", { every: 30_000 });
	const info = useData<ServiceInfo>("info");
	const demand = useData<Demand>("demand", { topics: ["queues", "workers"], every: 10_000 });
	const settings = useData<Settings>("settings");
	const store = useData<StoreInfo>("store", { every: 60_000 });
	const root = new URL("../../", API);
	return (
		<Page title="System">
			<div class="split">
				<div class="stack">
					<Section title="Settings">
						<Loaded of={settings} lines={8}>
							{(data) => <SettingList settings={data.items} />}
						</Loaded>
					</Section>
				</div>
				<div class="stack before">
					<Section title="Store">
						<Loaded of={store}>
							{(data) => <StoreFacts store={data} settings={settings.data.value?.items} />}
						</Loaded>
					</Section>
					<Section title="Work">
						<Loaded of={demand}>
							{(data) => (
								<dl class="facts">
									<Fact name="Waits">
										<a href={href("jobs", { q: "state:queued" })}>{count(data.waiting)}</a>
									</Fact>
									<Fact name="Oldest">{length(data.oldest_seconds)}</Fact>
									<Fact name="Due soon">{count(data.soon)}</Fact>
									<Fact name="Runs">
										<a href={href("jobs", { q: "state:running" })}>{count(data.running)}</a>
									</Fact>
									<Fact name="Workers">
										<a href={href("workers")}>
											{count(data.workers)}, with {count(data.slots)} slots
										</a>
									</Fact>
									<Fact name="Wanted">
										{count(data.wanted_workers)} {data.wanted_workers === 1 ? "worker" : "workers"}
									</Fact>
								</dl>
							)}
						</Loaded>
					</Section>
					<Section title="Service">
						<Loaded of={info}>
							{(data) => (
								<dl class="facts">
									<Fact name="Name">{data.display_name}</Fact>
									<Fact name="Version">{data.version}</Fact>
									<Fact name="Environment">
										{me.value?.environment ?? <span class="quiet">none is named</span>}
									</Fact>
									<Fact name="Rotulus">{me.value?.version}</Fact>
									{data.summary && <Fact name="Summary">{data.summary}</Fact>}
								</dl>
							)}
						</Loaded>
					</Section>
					<Section title="Machine">
						<Loaded of={system}>
							{(data) => (
								<dl class="facts">
									<Fact name="Host">{data.hostname}</Fact>
									<Fact name="Platform">{data.platform}</Fact>
									<Fact name="Python">{data.python_version}</Fact>
									<Fact name="Time">
										<When at={data.current_time} whole />
									</Fact>
									<Fact name="Zone">{data.timezone}</Fact>
								</dl>
							)}
						</Loaded>
					</Section>
					<Metrics />
					<Section title="For programs">
						<dl class="facts">
							<Fact name="Document">
								<a href={new URL("docs", root).href} target="_blank" rel="noreferrer">
									of the API
								</a>
							</Fact>
							<Fact name="As JSON">
								<a href={new URL("openapi.json", root).href} target="_blank" rel="noreferrer">
									openapi.json
								</a>
							</Fact>
							<Fact name="Address">
								<code>{API.href}</code>
							</Fact>
						</dl>
					</Section>
				</div>
			</div>
		</Page>
	);
}
