-- Records that could not be processed; the name of their file stays in the warehouse.
select ordinal, annotation_id, stage, reason, document_id, run_id
from {{ source('charthouse', 'rejects') }}
