/** What the API answers, as the screens read it: the names of the types of its document. */
import type { components } from "./schema";

type Schemas = components["schemas"];

/** Who has sent a request, and where it has come to. */
export type Me = Schemas["Me"];

export type ErrorInfo = Schemas["JobError"];

export type Progressed = Schemas["JobProgress"];

/** A job in a list. */
export type Job = Schemas["Job"];

export type Attempt = Schemas["JobAttempt"];

/** A single job. Arguments and result are read from the text of the answer. */
export type WholeJob = Schemas["JobDetail"];

export type JobPage = Schemas["JobPage"];

export type Count = Schemas["JobCount"];

/** How many jobs there are of each error, task, queue or worker. */
export type JobCounts = Schemas["JobCounts"];
export type AlikeJobs = Schemas["AlikeJobs"];

export type TaskInfo = Schemas["TaskInfo"];

export type Queue = Schemas["Queue"];

export type Queues = Schemas["Queues"];

export type Worker = Schemas["Worker"];
export type Workers = Schemas["Workers"];
export type Schedule = Schemas["Schedule"];
export type Schedules = Schemas["SchedulePage"];
export type Instants = Schemas["Instants"];
export type FailureGroup = Schemas["FailureGroup"];
export type Mute = Schemas["Mute"];
export type FailureGroups = Schemas["FailureGroups"];
export type TaskDetails = Schemas["TaskDetails"];

/** A run as boxes and the routes between them. */
export type RunGraph = Schemas["Graph"];
export type GraphBox = Schemas["GraphBox"];
export type GraphRoute = Schemas["GraphRoute"];

/** A run over time. */
export type Timeline = Schemas["Timeline"];
export type TimelineRow = Schemas["TimelineRow"];

export type Times = Schemas["Times"];

export type Measured = Schemas["Measured"];

export type Totals = Schemas["Totals"];

export type Point = Schemas["Point"];

export type Series = Schemas["Series"];

export type LogLine = Schemas["LogLine"];

export type LogLines = Schemas["LogPage"];

/** What a verb has done to how many jobs, or would do. */
export type Changed = Schemas["BulkChange"];

/** What somebody has done, or has begun to do. */
export type AuditEntry = Schemas["Entry"];
export type AuditPage = Schemas["EntryPage"];

/** Who is told of what by HTTP, and what was sent. */
export type Webhook = Schemas["Webhook"];
export type WebhookSecret = Schemas["WebhookSecret"];
export type Webhooks = Schemas["Webhooks"];
export type Delivery = Schemas["Delivery"];
export type DeliveryPage = Schemas["DeliveryPage"];

/** What routes want at Google, what is there, and what was delivered. */
export type PushWanted = Schemas["PushWanted"];
export type PushResource = Schemas["PushResource"];
export type PushPlace = Schemas["PushPlace"];
export type PushPlan = Schemas["PushPlan"];
export type PushChange = Schemas["PushChange"];
export type PushProblem = Schemas["PushProblem"];
export type PushDelivery = Schemas["PushDelivery"];
export type PushDeliveries = Schemas["PushDeliveries"];

/** The service and what it runs on. */
export type SystemInfo = Schemas["SystemInfo"];
export type ServiceInfo = Schemas["ServiceInfo"];
export type Demand = Schemas["Demand"];
export type Setting = Schemas["SettingInfo"];
export type Settings = Schemas["Settings"];
export type StoreInfo = Schemas["StoreInfo"];
export type StoreTable = Schemas["Table"];
export type Histogram = Schemas["Histogram"];
export type Bucket = Schemas["Bucket"];
export type Limit = Schemas["Limit"];
export type Limits = Schemas["Limits"];
export type WorkflowShape = Schemas["WorkflowShape"];
