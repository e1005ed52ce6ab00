"""Listings with their stock, and what purchases hold of it."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _name(length: int) -> sa.types.TypeEngine[str]:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "listings",
        sa.Column("tenant", _name(40), nullable=False),
        sa.Column("listing_id", _name(64), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("price_minor_units", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("exponent", sa.SmallInteger(), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("submission_id", sa.String(64), nullable=True),
        sa.Column("stock", sa.Integer(), nullable=False),
        sa.Column("available", sa.Integer(), nullable=False),
        sa.Column("held", sa.Integer(), nullable=False),
        sa.Column("sold", sa.Integer(), nullable=False),
        sa.Column("drafted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "listing_id", name="pk_listings"),
        sa.CheckConstraint("available >= 0 AND held >= 0 AND sold >= 0", name="ck_listings_no_unit_is_sold_twice"),
        sa.CheckConstraint("available + held + sold = stock", name="ck_listings_no_unit_is_lost"),
    )
    op.create_index("ix_listings_tenant_status_listing_id", "listings", ["tenant", "status", "listing_id"])
    op.create_table(
        "purchases",
        sa.Column("tenant", _name(40), nullable=False),
        sa.Column("purchase_id", _name(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("buyer_id", sa.String(64), nullable=True),
        sa.Column("reserved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("held_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "purchase_id", name="pk_purchases"),
        sa.CheckConstraint(
            "state = 'released' OR (buyer_id IS NOT NULL AND reserved_at IS NOT NULL AND held_until IS NOT NULL)",
            name="ck_purchases_held_for_somebody",
        ),
    )
    op.create_index(
        "ix_purchases_tenant_reserved_at_purchase_id", "purchases", ["tenant", "reserved_at", "purchase_id"]
    )
    op.create_table(
        "purchase_lines",
        sa.Column("tenant", _name(40), nullable=False),
        sa.Column("purchase_id", _name(64), nullable=False),
        sa.Column("seller", _name(40), nullable=False),
        sa.Column("listing_id", _name(64), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("price_minor_units", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("exponent", sa.SmallInteger(), nullable=False),
        sa.Column("sold_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "purchase_id", "seller", "listing_id", name="pk_purchase_lines"),
        sa.CheckConstraint("quantity > 0", name="ck_purchase_lines_something"),
        sa.ForeignKeyConstraint(
            ["tenant", "purchase_id"],
            ["purchases.tenant", "purchases.purchase_id"],
            name="fk_purchase_lines_purchases",
        ),
        sa.ForeignKeyConstraint(
            ["seller", "listing_id"], ["listings.tenant", "listings.listing_id"], name="fk_purchase_lines_listings"
        ),
    )
    op.create_index(
        "ix_purchase_lines_seller_sold_at_purchase_id_listing_id",
        "purchase_lines",
        ["seller", "sold_at", "purchase_id", "listing_id"],
    )


def downgrade() -> None:
    op.drop_table("purchase_lines")
    op.drop_table("purchases")
    op.drop_table("listings")
