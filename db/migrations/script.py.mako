"""${message}"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
% if down_revision is None:

from db.migrations import jobs
% endif

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}
% if down_revision is None:
    jobs.install()
% endif


def downgrade() -> None:
% if down_revision is None:
    jobs.remove()
% endif
    ${downgrades if downgrades else "pass"}
