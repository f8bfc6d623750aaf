# Mixins come first: the models below inherit from them.
from . import garage_loyalty_append_mixin
from . import garage_loyalty_booked_mixin
from . import garage_loyalty_deferral_query
from . import garage_loyalty_reconciliation_causes_mixin
from . import garage_loyalty_asking_mixin
from . import garage_loyalty_customer_kind_mixin
from . import garage_loyalty_xlsx_about_mixin
from . import garage_loyalty_xlsx_mixin
from . import garage_loyalty_export_mixin
from . import garage_loyalty_goal_mixin
from . import garage_loyalty_history_mixin
from . import garage_loyalty_input_mixin
from . import garage_loyalty_ratio_mixin
from . import garage_loyalty_fold_mixin
from . import garage_loyalty_program_item_mixin
from . import garage_loyalty_account_mixin
from . import garage_loyalty_adjustment_check
from . import garage_loyalty_approval_mixin
from . import garage_loyalty_badge_mixin
from . import garage_loyalty_balance_mixin
from . import garage_loyalty_billed_mixin
from . import garage_loyalty_bonus_mixin
from . import garage_loyalty_discounted_line_mixin
from . import garage_loyalty_discounted_mixin
from . import garage_loyalty_discounted_order_mixin
from . import garage_loyalty_earning_check
from . import garage_loyalty_earning_mixin
from . import garage_loyalty_expiry_mixin
from . import garage_loyalty_entry_tier_mixin
from . import garage_loyalty_immutable_mixin
from . import garage_loyalty_job_mixin
from . import garage_loyalty_kit_cost_mixin
from . import garage_loyalty_kit_mixin
from . import garage_loyalty_join_rules_mixin
from . import garage_loyalty_joining_mixin
from . import garage_loyalty_line_mixin
from . import garage_loyalty_member_bonus_mixin
from . import garage_loyalty_merge_mixin
from . import garage_loyalty_partner_enrol_mixin
from . import garage_loyalty_partner_search_mixin
from . import garage_loyalty_stage_mixin
from . import garage_loyalty_posting_mixin
from . import garage_loyalty_priced_mixin
from . import garage_loyalty_privacy_mixin
from . import garage_loyalty_redeemable_mixin
from . import garage_loyalty_redemption_check_mixin
from . import garage_loyalty_referred_mixin
from . import garage_loyalty_retention_action_mixin
from . import garage_loyalty_retention_alarm_mixin
from . import garage_loyalty_retention_query
from . import garage_loyalty_retention_settings_mixin
from . import garage_loyalty_retention_words_mixin
from . import garage_loyalty_rules_mixin
from . import garage_loyalty_new_visit_mixin
from . import garage_loyalty_stamp_mixin
from . import garage_loyalty_standing_mixin
from . import garage_loyalty_statement_mixin
from . import garage_loyalty_statement_settings_mixin
from . import garage_loyalty_status_mixin
from . import garage_loyalty_transfer_mixin
from . import garage_loyalty_undo_mixin
from . import garage_loyalty_tier_rules_mixin
from . import garage_loyalty_valued_mixin
from . import garage_loyalty_tier_progress_mixin
from . import garage_loyalty_tier_rise_mixin
from . import garage_loyalty_tier_figures
from . import garage_loyalty_visit_months_mixin
from . import garage_loyalty_visit_sync_mixin
from . import garage_loyalty_benefit_mixin
from . import garage_loyalty_privileged_mixin
from . import garage_loyalty_free_line_mixin
from . import garage_loyalty_free_service_mixin
from . import garage_loyalty_limited_offer_mixin
from . import garage_loyalty_personal_offer_log
from . import garage_loyalty_personal_reward_mixin
from . import garage_loyalty_offer_log
from . import garage_loyalty_offer_state_mixin
from . import garage_loyalty_offer_use_mixin
from . import garage_loyalty_offered_mixin
from . import garage_loyalty_priority_mixin
from . import garage_loyalty_program_privileges_mixin
from . import garage_loyalty_warranty_mixin
from . import garage_loyalty_active_month_query
from . import garage_loyalty_campaign_audience_mixin
from . import garage_loyalty_campaign_holdout_mixin
from . import garage_loyalty_campaign_job_mixin
from . import garage_loyalty_campaign_means_mixin
from . import garage_loyalty_campaign_result_mixin
from . import garage_loyalty_customer_contact_mixin
from . import garage_loyalty_customer_facts_mixin
from . import garage_loyalty_customer_movement_mixin
from . import garage_loyalty_customer_query
from . import garage_loyalty_customer_cohort_mixin
from . import garage_loyalty_lapse_query
from . import garage_loyalty_offered_customer_mixin
from . import garage_loyalty_regular_work_query
from . import garage_loyalty_member_month_query
from . import garage_loyalty_benefit_query
from . import garage_loyalty_member_stage_mixin
from . import garage_loyalty_member_statement_mixin
from . import garage_loyalty_result_cost_mixin
from . import garage_loyalty_words_mixin
from . import garage_loyalty_result_words_mixin
from . import garage_loyalty_usage_settings_mixin
from . import garage_loyalty_usage_words_mixin
from . import garage_loyalty_usage_mixin
from . import garage_loyalty_privilege_usage_mixin
from . import garage_loyalty_reward_usage_mixin
from . import garage_loyalty_estimate_job_mixin
from . import garage_loyalty_estimate_query
from . import garage_loyalty_estimate_words_mixin
from . import garage_loyalty_review_figures_mixin
from . import garage_loyalty_review_job_mixin
from . import garage_loyalty_review_words_mixin
from . import garage_loyalty_holdout_draw_mixin
from . import garage_loyalty_holdout_result_mixin
from . import garage_loyalty_holdout_words_mixin
from . import garage_loyalty_member_use_mixin

# isort: split

from . import (
    account_move,
    account_move_line,
    account_move_send,
    account_partial_reconcile,
    account_payment,
    digest_digest,
    garage_loyalty_accounting,
    garage_loyalty_active_month,
    garage_loyalty_adjustment,
    garage_loyalty_adjustment_reason,
    garage_loyalty_allocation,
    garage_loyalty_benefit,
    garage_loyalty_bonus,
    garage_loyalty_booking,
    garage_loyalty_booking_cohort,
    garage_loyalty_booking_line,
    garage_loyalty_bonus_job,
    garage_loyalty_campaign,
    garage_loyalty_campaign_contact,
    garage_loyalty_changed_customer,
    garage_loyalty_conversion,
    garage_loyalty_conversion_line,
    garage_loyalty_customer,
    garage_loyalty_deferral,
    garage_loyalty_entry,
    garage_loyalty_estimate,
    garage_loyalty_expiry,
    garage_loyalty_facts,
    garage_loyalty_holdout,
    garage_loyalty_holdout_customer,
    garage_loyalty_holdout_figure,
    garage_loyalty_invitation,
    garage_loyalty_lapse,
    garage_loyalty_ledger_check,
    garage_loyalty_lot,
    garage_loyalty_lot_expiry,
    garage_loyalty_member,
    garage_loyalty_member_month,
    garage_loyalty_member_status,
    garage_loyalty_movement_count,
    garage_loyalty_personal_offer,
    garage_loyalty_privilege,
    garage_loyalty_privilege_use,
    garage_loyalty_program,
    garage_loyalty_provision,
    garage_loyalty_qualification,
    garage_loyalty_reconciliation,
    garage_loyalty_reconciliation_line,
    garage_loyalty_redemption,
    garage_loyalty_regular_work,
    garage_loyalty_result,
    garage_loyalty_retention_check,
    garage_loyalty_retention_figure,
    garage_loyalty_review,
    garage_loyalty_reward,
    garage_loyalty_tier,
    garage_loyalty_tier_discount,
    garage_loyalty_tier_review,
    garage_loyalty_tier_warning,
    garage_loyalty_valuation,
    garage_loyalty_visit,
    garage_loyalty_what_if,
    product_category,
    product_pricelist,
    product_product,
    product_template,
    repair_order,
    res_company,
    res_config_settings,
    res_partner,
    sale_order,
    sale_order_line,
)
