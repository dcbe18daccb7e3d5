import { defineViews } from 'millrace'
import { z } from 'zod'
import { events } from './model.ts'

/** Amounts are in cents. */
export const views = defineViews(events, {
  /** What each customer has ordered, of all products. */
  customers: {
    schema: z.object({ orders: z.int(), spent: z.int() }),
    indexes: { spent: { fields: ['spent'] } },
    zero: { orders: 0, spent: 0 },
    feeds: {
      'orders.placed': {
        key: ({ data }) => data.customer,
        fold: ({ orders, spent }, { data }) => ({ orders: orders + 1, spent: spent + data.quantity * data.price }),
      },
      'orders.cancelled': {
        key: ({ data }) => data.customer,
        fold: ({ orders, spent }, { data }) => ({ orders: orders - 1, spent: spent - data.quantity * data.price }),
      },
    },
  },
  /** All orders. Every order changes it, so it is kept in slots. */
  orderTotals: {
    schema: z.object({ revenue: z.int(), orders: z.int() }),
    slots: true,
    zero: { revenue: 0, orders: 0 },
    feeds: {
      'orders.placed': {
        fold: ({ revenue, orders }, { data }) => ({
          revenue: revenue + data.quantity * data.price,
          orders: orders + 1,
        }),
      },
      'orders.cancelled': {
        fold: ({ revenue, orders }, { data }) => ({
          revenue: revenue - data.quantity * data.price,
          orders: orders - 1,
        }),
      },
    },
  },
})
