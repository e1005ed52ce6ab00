"""The tables of the listing service. Whatever belongs to a tenant is reached through the tenant alone."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
)

from platform_runtime.database import NAMING_CONVENTION, UtcDateTime, ordered_text

METADATA: Final = MetaData(naming_convention=NAMING_CONVENTION)

LISTINGS: Final = Table(
    "listings",
    METADATA,
    Column("tenant", ordered_text(40), primary_key=True),
    Column("listing_id", ordered_text(64), primary_key=True),
    Column("title", String(200), nullable=False),
    Column("description", Text, nullable=False),
    Column("price_minor_units", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("exponent", SmallInteger, nullable=False),
    Column("status", String(16), nullable=False),
    # The submission that has it in review, or had it last.
    Column("submission_id", String(64), nullable=True),
    Column("stock", Integer, nullable=False),
    Column("available", Integer, nullable=False),
    Column("held", Integer, nullable=False),
    Column("sold", Integer, nullable=False),
    Column("drafted_at", UtcDateTime, nullable=False),
    Column("published_at", UtcDateTime, nullable=True),
    Column("archived_at", UtcDateTime, nullable=True),
    # What no code of ours may ever break, the database refuses: a unit is nowhere twice, and none is lost.
    CheckConstraint("available >= 0 AND held >= 0 AND sold >= 0", name="no_unit_is_sold_twice"),
    CheckConstraint("available + held + sold = stock", name="no_unit_is_lost"),
    # The listings of one status, page by page.
    Index(None, "tenant", "status", "listing_id"),
)

SUBMISSIONS: Final = Table(
    "submissions",
    METADATA,
    Column("tenant", ordered_text(40), primary_key=True),
    Column("submission_id", ordered_text(64), primary_key=True),
    Column("listing_id", String(64), nullable=False),
    # Where the listing stood when it ended; empty where there is no such listing.
    Column("listing_status", String(16), nullable=True),
    Column("approved", Boolean(create_constraint=False), nullable=False),
    # Empty when no person decided.
    Column("reviewer_id", String(64), nullable=True),
    Column("reason", Text, nullable=False),
    Column("failure", String(80), nullable=True),
)
"""What came of each submission, kept for good; one that goes on has no row."""

PURCHASES: Final = Table(
    "purchases",
    METADATA,
    Column("tenant", ordered_text(40), primary_key=True),
    Column("purchase_id", ordered_text(64), primary_key=True),
    Column("state", String(16), nullable=False),
    # The others are empty where a purchase was released before it was ever reserved.
    Column("buyer_id", String(64), nullable=True),
    Column("reserved_at", UtcDateTime, nullable=True),
    Column("held_until", UtcDateTime, nullable=True),
    # Why it was released, as the contract names it: the same purchase, asked for again, ends the same way.
    Column("failure", String(80), nullable=True),
    CheckConstraint(
        "state = 'released' OR (buyer_id IS NOT NULL AND reserved_at IS NOT NULL AND held_until IS NOT NULL)",
        name="held_for_somebody",
    ),
    # In the order in which a tenant's purchases are read.
    Index(None, "tenant", "reserved_at", "purchase_id"),
)

PURCHASE_LINES: Final = Table(
    "purchase_lines",
    METADATA,
    Column("tenant", ordered_text(40), primary_key=True),
    Column("purchase_id", ordered_text(64), primary_key=True),
    Column("seller", ordered_text(40), primary_key=True),
    Column("listing_id", ordered_text(64), primary_key=True),
    Column("quantity", Integer, nullable=False),
    Column("price_minor_units", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("exponent", SmallInteger, nullable=False),
    Column("sold_at", UtcDateTime, nullable=True),
    CheckConstraint("quantity > 0", name="something"),
    ForeignKeyConstraint(["tenant", "purchase_id"], ["purchases.tenant", "purchases.purchase_id"]),
    ForeignKeyConstraint(["seller", "listing_id"], ["listings.tenant", "listings.listing_id"]),
    # In the order in which a seller's sales are read.
    Index(None, "seller", "sold_at", "purchase_id", "listing_id"),
)
